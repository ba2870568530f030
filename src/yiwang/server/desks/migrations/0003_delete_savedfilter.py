from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("desks", "0002_preferences_and_views")]

    operations = [migrations.DeleteModel(name="SavedFilter")]
