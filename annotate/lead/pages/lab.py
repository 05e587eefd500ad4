"""The judge page, as Streamlit runs it."""

from annotate.lead.lab import draw

draw()
