"""How fast one receiver of webhooks is told of things, and what a delivery costs."""
