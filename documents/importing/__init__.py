"""From a folder of Markdown files to documents: reading, tree and order, links. Pure: no Django."""
