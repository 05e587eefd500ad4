"""The disagreements page, as Streamlit runs it."""

from annotate.lead.disagreements import draw

draw()
