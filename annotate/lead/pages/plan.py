"""The plan page, as Streamlit runs it."""

from annotate.lead.plan import draw

draw()
