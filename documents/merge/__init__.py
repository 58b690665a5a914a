"""Three-way merge of a document: no word that either side wrote is lost, and none that it deleted comes back.

Pure: no Django, no database. `fields.merge_fields` is the door; `lines.merge_texts` merges one text.
"""

from documents.merge.fields import FieldsMerge, merge_fields
from documents.merge.labels import clash
from documents.merge.lines import merge_texts
from documents.merge.result import Conflict, MergeResult, Reason

__all__ = ["Conflict", "FieldsMerge", "MergeResult", "Reason", "clash", "merge_fields", "merge_texts"]
