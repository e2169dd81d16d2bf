
# It is valid for a year.
$made = Send-Graph POST "applications/$($app.id)/addPassword" @{ passwordCredential = @{ displayName = 'TenantAtlas'; endDateTime = [DateTimeOffset]::UtcNow.AddYears(1).ToString('o') } }

Write-Host "`nEnter in TenantAtlas:"
Write-Host "  Directory (tenant) ID:    $tenant"
Write-Host "  Application (client) ID:  $($app.appId)"
Write-Host "  Client secret:            $($made.secretText)"
