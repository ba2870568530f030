"""The component inventory 部件普查: what stands where in a city, who answers for it, and every census of it."""
