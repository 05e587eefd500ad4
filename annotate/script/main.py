"""The Streamlit script. It lies in a folder of its own, which Streamlit puts first on the import path."""

from annotate.page import draw

draw()
