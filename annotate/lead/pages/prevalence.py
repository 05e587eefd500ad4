"""The prevalence page, as Streamlit runs it."""

from annotate.lead.prevalence import draw

draw()
