"""The sizes that documents keep to, in the constraints of the database and in the serializers alike."""

from __future__ import annotations

BATCH = 500
BODY_BYTES = 2 * 1024 * 1024
# The comments of a thread, and the threads of a document that hang on a passage.
COMMENTS = 1_000
THREADS_ANCHORED = 1_000
COMMENT_LENGTH = 10_000
DEPTH = 20
DESCRIPTION_LENGTH = 2_000
HEADING_LENGTH = 1_000
EMOJI_LENGTH = 16
GUEST_NAME_LENGTH = 80
ICON_LENGTH = 64
LANGUAGE_LENGTH = 16
NAME_LENGTH = 200
NOTE_LENGTH = 500
OPERATIONS = 100
POSITION_LENGTH = 200
# Keys that are longer have their siblings numbered anew by a job.
POSITION_GROWN = 32
QUOTE_LENGTH = 5_000
REASON_LENGTH = 500
SLUG_LENGTH = 80
TAGS = 50
TAG_LENGTH = 100
TITLE_LENGTH = 500
VARIABLES = 100
VARIABLE_LENGTH = 10_000
WEBHOOKS = 20
WEBHOOK_URL_LENGTH = 2_000

# Above this number of nodes a change of a subtree is a job's work; a copy writes more for each.
SUBTREE_IN_REQUEST = 5_000
COPY_IN_REQUEST = 200
RESTORE_IN_REQUEST = 200
COPY_BYTES_IN_REQUEST = 4_000_000
