
# The key is made here. It is valid for a year.
$rsa = [Security.Cryptography.RSA]::Create(3072)
$request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=TenantAtlas', $rsa, [Security.Cryptography.HashAlgorithmName]::SHA256, [Security.Cryptography.RSASignaturePadding]::Pkcs1)
$certificate = $request.CreateSelfSigned([DateTimeOffset]::UtcNow.AddMinutes(-5), [DateTimeOffset]::UtcNow.AddYears(1))
$key = @{ type = 'AsymmetricX509Cert'; usage = 'Verify'; displayName = 'CN=TenantAtlas'; key = [Convert]::ToBase64String($certificate.RawData) }
$keys = @($app.keyCredentials | Where-Object { $_ }) + @($key)
Send-Graph PATCH "applications/$($app.id)" @{ keyCredentials = $keys } | Out-Null

Write-Host "`nEnter in TenantAtlas:"
Write-Host "  Directory (tenant) ID:    $tenant"
Write-Host "  Application (client) ID:  $($app.appId)"
Write-Host "  Certificate and private key, all lines from the first BEGIN to the last END:`n"
Write-Host '-----BEGIN CERTIFICATE-----'
Write-Host ([Convert]::ToBase64String($certificate.RawData, 'InsertLineBreaks'))
Write-Host '-----END CERTIFICATE-----'
Write-Host '-----BEGIN PRIVATE KEY-----'
Write-Host ([Convert]::ToBase64String($rsa.ExportPkcs8PrivateKey(), 'InsertLineBreaks'))
Write-Host '-----END PRIVATE KEY-----'
