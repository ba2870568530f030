"""Things that stand in the city 部件: how they are numbered (`codes`), which counted one is which (`matching`), and what a
census of them found (`census`)."""
