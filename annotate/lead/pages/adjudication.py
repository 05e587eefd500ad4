"""The adjudication page, as Streamlit runs it."""

from annotate.lead.adjudication import draw

draw()
