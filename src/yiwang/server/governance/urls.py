"""Addresses of administration: who may do what, which rules are in force, who read personal data; and of help."""

from django.urls import path

from yiwang.server.governance import help_views, pack_views, people_views, rule_views

urlpatterns = [
    path("account/password", people_views.password, name="password"),
    path("<slug:city>/help", help_views.index, name="help"),
    path("<slug:city>/help/glossary", help_views.glossary, name="glossary"),
    path("<slug:city>/help/tour.json", help_views.tour, name="tour"),
    path("<slug:city>/help/tour/done", help_views.finish_tour, name="tour-done"),
    path("<slug:city>/admin", rule_views.home, name="admin"),
    path("<slug:city>/admin/people", people_views.people, name="admin-people"),
    path("<slug:city>/admin/people/new", people_views.new_person, name="admin-person-new"),
    path("<slug:city>/admin/people/<int:key>", people_views.person, name="admin-person"),
    path("<slug:city>/admin/people/<int:key>/change", people_views.change_person, name="admin-person-change"),
    path("<slug:city>/admin/units", people_views.units, name="admin-units"),
    path("<slug:city>/admin/units/options", people_views.unit_options, name="admin-unit-options"),
    path("<slug:city>/admin/permissions", people_views.permissions, name="admin-permissions"),
    path("<slug:city>/admin/audit", people_views.audit, name="admin-audit"),
    path("<slug:city>/admin/regions", pack_views.regions, name="admin-regions"),
    path("<slug:city>/admin/packs", pack_views.pack_list, name="admin-packs"),
    path("<slug:city>/admin/rules", rule_views.rules, name="admin-rules"),
    path("<slug:city>/admin/rules/tables/<slug:table>", rule_views.table, name="admin-table"),
    path("<slug:city>/admin/rules/changes/new", rule_views.begin, name="admin-change-new"),
    path("<slug:city>/admin/rules/changes/<int:key>", rule_views.change, name="admin-change"),
    path("<slug:city>/admin/rules/changes/<int:key>/do/<slug:what>", rule_views.act, name="admin-change-act"),
    path("<slug:city>/admin/rules/changes/<int:key>/<slug:table>", rule_views.grid, name="admin-grid"),
]
