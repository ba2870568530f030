"""Pages of the component inventory 部件台账: the list, one component, censuses and what they found."""
