"""The annotators page, as Streamlit runs it."""

from annotate.lead.annotators import draw

draw()
