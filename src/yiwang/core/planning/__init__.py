"""Plans and simulations on the same rules and workflow that the live city runs on."""
