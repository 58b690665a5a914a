"""What a process of background work loads before it begins; imported only where such processes come from."""

from __future__ import annotations

import gc
import os
from importlib import import_module

import django

os.environ.update({"DJANGO_SETTINGS_MODULE": "cloudscribe.settings", "CLOUDSCRIBE_PROCESS": "job"})
gc.disable()
django.setup()
import_module("cloudscribe.jobs.registry").autoload()
import_module("tests.jobs.handlers")
gc.freeze()
gc.enable()
