# Registers the application for TenantAtlas in the tenant that "az" is signed in to, and grants its permissions.
# Needs the role Global Administrator, or Privileged Role Administrator with Application Administrator.
register_tenantatlas() (
set -euo pipefail
umask 077
name='TenantAtlas'
graph_app='@GRAPH@'
roles=(
@ROLES@
)
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}

# A new application takes a few seconds to be known everywhere.
again() {
  for _ in 1 2 3 4 5 6; do
    if "$@"; then return 0; fi
    sleep 5
  done
  echo "This command did not succeed: $*" >&2
  return 1
}

access=''
for role in "${roles[@]}"; do access="$access,{\"id\":\"$role\",\"type\":\"Role\"}"; done
access="[{\"resourceAppId\":\"$graph_app\",\"resourceAccess\":[${access#,}]}]"

app=$(az ad app list --filter "displayName eq '$name'" --query '[0].appId' --output tsv)
if [ -z "$app" ]; then
  app=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
again az ad app update --id "$app" --required-resource-accesses "$access"
@RETURN@

principal=$(az ad sp list --filter "appId eq '$app'" --query '[0].id' --output tsv)
if [ -z "$principal" ]; then
  principal=$(again az ad sp create --id "$app" --query id --output tsv)
fi
resource=$(az ad sp show --id "$graph_app" --query id --output tsv)

# Admin consent: each permission is assigned as an app role.
assigned=$(again az rest --method GET --url "$graph/v1.0/servicePrincipals/$principal/appRoleAssignments" --query 'value[].appRoleId' --output tsv)
for role in "${roles[@]}"; do
  case "$assigned" in *"$role"*) continue ;; esac
  again az rest --method POST --url "$graph/v1.0/servicePrincipals/$resource/appRoleAssignedTo" --headers 'Content-Type=application/json' --body "{\"principalId\":\"$principal\",\"resourceId\":\"$resource\",\"appRoleId\":\"$role\"}" --output none
done

tenant=$(az account show --query tenantId --output tsv)
@CREDENTIAL@
)
register_tenantatlas
