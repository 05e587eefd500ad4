"""The agreement page, as Streamlit runs it."""

from annotate.lead.agreement import draw

draw()
