"""The batches page, as Streamlit runs it."""

from annotate.lead.batches import draw

draw()
