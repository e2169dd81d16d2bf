# Registers the application for TenantAtlas in the tenant that you sign in to, and grants its permissions.
# Needs PowerShell 7 and the role Global Administrator, or Privileged Role Administrator with Application Administrator.
# For a national cloud, add to Connect-MgGraph: -Environment USGov, USGovDoD or China.
& {
$ErrorActionPreference = 'Stop'
$name = 'TenantAtlas'
$graphApp = '@GRAPH@'
$roles = @(
@ROLES@
)
if (-not (Get-Module -ListAvailable Microsoft.Graph.Authentication)) {
  Install-Module Microsoft.Graph.Authentication -Scope CurrentUser
}
Connect-MgGraph -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All' -NoWelcome

# A new application takes a few seconds to be known everywhere.
function Send-Graph($Method, $Path, $Body) {
  for ($attempt = 1; ; $attempt++) {
    try {
      if ($Body) { return Invoke-MgGraphRequest -Method $Method -Uri "/v1.0/$Path" -Body ($Body | ConvertTo-Json -Depth 10) -ContentType 'application/json' }
      return Invoke-MgGraphRequest -Method $Method -Uri "/v1.0/$Path"
    } catch {
      if ($attempt -ge 6) { throw }
      Start-Sleep -Seconds 5
    }
  }
}

$access = @(@{ resourceAppId = $graphApp; resourceAccess = @($roles | ForEach-Object { @{ id = $_; type = 'Role' } }) })
$app = (Send-Graph GET "applications?`$filter=displayName eq '$name'").value | Select-Object -First 1
if (-not $app) {
  $app = Send-Graph POST 'applications' @{ displayName = $name; signInAudience = 'AzureADMyOrg' }
}
Send-Graph PATCH "applications/$($app.id)" @{ requiredResourceAccess = $access } | Out-Null
@RETURN@

$principal = (Send-Graph GET "servicePrincipals?`$filter=appId eq '$($app.appId)'").value | Select-Object -First 1
if (-not $principal) { $principal = Send-Graph POST 'servicePrincipals' @{ appId = $app.appId } }
$resource = (Send-Graph GET "servicePrincipals?`$filter=appId eq '$graphApp'").value | Select-Object -First 1

# Admin consent: each permission is assigned as an app role.
$assigned = @((Send-Graph GET "servicePrincipals/$($principal.id)/appRoleAssignments").value | ForEach-Object { $_.appRoleId })
foreach ($role in $roles) {
  if ($assigned -contains $role) { continue }
  Send-Graph POST "servicePrincipals/$($resource.id)/appRoleAssignedTo" @{ principalId = $principal.id; resourceId = $resource.id; appRoleId = $role } | Out-Null
}

$tenant = (Get-MgContext).TenantId
@CREDENTIAL@
}
