"""How pages are made and guarded: templates, static files, headers, forms, sessions."""
