"""From a tree of documents to a zip of Markdown files that any editor reads and `import_documents` takes."""
