from django.db import migrations, models

# What the scope was called before there were routes for it.
_RENAME = """UPDATE api_key SET scopes = array_replace(scopes, 'keys:manage', 'api_keys:manage')
 WHERE 'keys:manage' = ANY(scopes)"""
_BACK = """UPDATE api_key SET scopes = array_replace(scopes, 'api_keys:manage', 'keys:manage')
 WHERE 'api_keys:manage' = ANY(scopes)"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_upload_origins")]

    operations = [
        migrations.AddField(
            model_name="apikey", name="expiring_told", field=models.BooleanField(db_default=False, default=False)
        ),
        migrations.RunSQL(_RENAME, _BACK),
    ]
