"""Lists three types with Microsoft's libraries, and prints them as JSON. Run with the environment of a client."""

import asyncio
import json
import os
import sys

import msal
from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph_core.tasks.page_iterator import PageIterator

SCOPES = ["https://graph.microsoft.com/.default"]
TENANT, CLIENT, SECRET = (os.environ[name] for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))


def token():
    """A token from the Microsoft Authentication Library itself."""
    authority = f"https://login.microsoftonline.com/{TENANT}"
    application = msal.ConfidentialClientApplication(CLIENT, client_credential=SECRET, authority=authority)
    answer = application.acquire_token_for_client(scopes=SCOPES)
    if "access_token" not in answer:
        sys.exit(f"no token: {answer}")
    return {"token_type": answer["token_type"], "expires_in": answer["expires_in"]}


async def everything(client, builder, parameters):
    """Type, name and last change of all objects of a list by id, read five at a time."""
    page = await builder.get(request_configuration=RequestConfiguration(query_parameters=parameters(top=5)))
    found = {}

    def take(thing):
        found[thing.id] = [thing.odata_type, thing.display_name, thing.last_modified_date_time.isoformat()]
        return True

    await PageIterator(page, client.request_adapter).iterate(take)
    return found


async def main():
    client = GraphServiceClient(ClientSecretCredential(TENANT, CLIENT, SECRET), SCOPES)
    configurations = client.device_management.device_configurations
    policies = client.device_management.device_compliance_policies
    apps = client.device_app_management.mobile_apps
    found = {
        "v1.0/deviceManagement/deviceConfigurations": await everything(
            client, configurations, configurations.DeviceConfigurationsRequestBuilderGetQueryParameters
        ),
        "v1.0/deviceManagement/deviceCompliancePolicies": await everything(
            client, policies, policies.DeviceCompliancePoliciesRequestBuilderGetQueryParameters
        ),
        "v1.0/deviceAppManagement/mobileApps": await everything(
            client, apps, apps.MobileAppsRequestBuilderGetQueryParameters
        ),
    }
    print(json.dumps({"token": token(), "lists": found}))


asyncio.run(main())
