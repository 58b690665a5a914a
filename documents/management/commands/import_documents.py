"""`manage.py import_documents`: a folder of Markdown files becomes a tree of documents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.actors import actor_for_command
from accounts.models import User
from cloudscribe.lib.actor import Actor, acting_as
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from cloudscribe.lib.emails import canonical_email
from documents.addresses import slug_of
from documents.importing.files import SourceFolder
from documents.importing.planning import PlannedDocument, plan_documents
from documents.importing.reading import Problem, read_tree
from documents.models import Workspace
from documents.services.importing import Imported, documents_import
from documents.services.indexing import lexemes_refresh
from documents.services.locking import actor_renewed
from documents.services.workspaces import workspace_create
from documents.visibility import visible_to


class Command(OperatorCommand):
    """Import a folder; again and again with the same end."""

    help = (
        "Import the Markdown files below PATH: titles from headings, the tree from folders and SUMMARY.md, "
        "links between files made links between documents, pictures and other files "
        "that are linked to made attachments. A second run changes only what changed. "
        "Exit code 1: something was left out, and is named; 2: used wrongly."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What is imported, where to, for whom."""
        parser.add_argument("path", type=Path, metavar="PATH", help="folder of Markdown files, or one file")
        parser.add_argument("--workspace", required=True, metavar="SLUG", help="made where it is new")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="who acts and owns the documents")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def run(self, actor: Actor, **options: Any) -> None:
        """Read, plan, import, report."""
        planned, problems = self._plan(options["path"])
        root = options["path"] if options["path"].is_dir() else options["path"].parent
        self.folder = SourceFolder(root, most_bytes=settings.MAX_UPLOAD_BYTES)
        user = User.objects.filter(email_key=canonical_email(options["owner"])).first()
        if user is None or not user.is_active:
            raise UsageError(f"There is no active user {options['owner']}.")
        with acting_as(actor_for_command(user, "import_documents")) as owner:
            result = self._import(owner, options["workspace"], planned, dry_run=options["dry_run"])
        self._report(result, [*problems, *result.problems], dry_run=options["dry_run"])

    def _plan(self, path: Path) -> tuple[list[PlannedDocument], list[Problem]]:
        try:
            tree = read_tree(path)
        except OSError as error:
            raise UsageError(str(error)) from error
        planned, problems = plan_documents(tree)
        return planned, [*tree.problems, *problems]

    def _import(self, owner: Actor, slug: str, planned: list[PlannedDocument], *, dry_run: bool) -> Imported:
        workspace = visible_to(Workspace.objects.filter(slug=slug), owner).first()
        if workspace is None and Workspace.objects.filter(slug=slug).exists():
            raise UsageError(f"The owner is no member of the workspace {slug}.")
        if workspace is None and slug != (better := slug_of(slug, otherwise="workspace")):
            raise UsageError(f"A slug holds a-z, 0-9 and single hyphens: take {better}.")
        if workspace is None and dry_run:
            return Imported(created=len(planned))
        if workspace is None:
            workspace = workspace_create(actor=owner, name=slug, slug=slug)
            # Being its owner is a right that came after the actor's stamps were read.
            owner = actor_renewed(owner)
        bar = self.progress(len(planned), "Importing")
        result = documents_import(
            actor=owner,
            workspace=workspace,
            planned=planned,
            folder=self.folder,
            dry_run=dry_run,
            progress=bar.update,
        )
        if result.created or result.updated:
            lexemes_refresh(actor=owner)
        return result

    def _report(self, result: Imported, problems: list[Problem], *, dry_run: bool) -> None:
        for problem in problems:
            self.stderr.write(f"{problem.path}: {problem.reason}")
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{result.total} documents: {result.created} {would}created, {result.updated} {would}updated, "
            f"{result.unchanged} unchanged."
            + (f" {result.files} files {would}attached." if result.files else "")
        )
        left_out = sum(problem.left_out for problem in problems)
        if left_out:
            raise FoundWrong(f"{left_out} files were left out.")
