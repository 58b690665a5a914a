"""Markdown to HTML that is safe to show, within bounds of time and size. Pure: no Django."""

from documents.rendering.bounded import TooBusyToRender, longest_wait, render_bounded
from documents.rendering.html import RENDERER_VERSION, Rendered, render

__all__ = ["RENDERER_VERSION", "Rendered", "TooBusyToRender", "longest_wait", "render", "render_bounded"]
