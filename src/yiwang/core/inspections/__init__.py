"""Inspections 检查考评: what is looked at (`checklists`), what a visit scores (`scoring`), and how far two people who looked at the
same agree (`agreement`). Who goes where is drawn in `yiwang.core.indicators.sampling`."""
