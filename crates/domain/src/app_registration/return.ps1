
# Where Microsoft leads back to after admin consent that is given later.
$back = @(@($app.web.redirectUris | Where-Object { $_ }) + '@ADDRESS@' | Select-Object -Unique)
Send-Graph PATCH "applications/$($app.id)" @{ web = @{ redirectUris = $back } } | Out-Null
