"""The judge: its prompts, what it is asked and answers, how it is revised and certified."""
