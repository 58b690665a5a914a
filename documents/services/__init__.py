"""Every write of the product, by noun: actor first, one transaction each, with its audit event inside.

The order of locks is one for all: workspace rows by id, then documents by id, then the rest. Nothing reads
the tree for a write before its workspace is locked. Rights are asked again after the locks, under the stamps
of that moment.
"""
