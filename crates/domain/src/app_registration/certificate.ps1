
# The certificate that TenantAtlas made. Its private key stays there.
$certificate = @'
@CERTIFICATE@
'@
$raw = ($certificate -split "`r?`n" | Where-Object { $_ -and $_ -notmatch '-----' }) -join ''
$keys = @($app.keyCredentials | Where-Object { $_ })
if (-not ($keys | Where-Object { $_.displayName -eq '@LABEL@' })) {
  $keys += @{ type = 'AsymmetricX509Cert'; usage = 'Verify'; displayName = '@LABEL@'; key = $raw }
  Send-Graph PATCH "applications/$($app.id)" @{ keyCredentials = $keys } | Out-Null
}

Write-Host "`nEnter in TenantAtlas:"
Write-Host "  Directory (tenant) ID:    $tenant"
Write-Host "  Application (client) ID:  $($app.appId)"
