"""The buzon decides what happens to what citizens write: folio, routing, answer, finding.

It keeps texts and contacts where nobody else sees them. It reads `cartas.v1` for units, posts,
calendars and the term that a carta promises, and publishes the life of each folio on
`complaints.v1`, without text and without person.
"""
