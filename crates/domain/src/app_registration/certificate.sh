
# The key is made here. It is valid for a year.
openssl req -x509 -newkey rsa:3072 -sha256 -nodes -days 365 -subj '/CN=TenantAtlas' -keyout tenantatlas-key.pem -out tenantatlas-certificate.pem 2>/dev/null
again az ad app credential reset --id "$app" --append --cert @tenantatlas-certificate.pem --output none

echo
echo 'Enter in TenantAtlas:'
echo "  Directory (tenant) ID:    $tenant"
echo "  Application (client) ID:  $app"
echo '  Certificate and private key, all lines from the first BEGIN to the last END:'
echo
cat tenantatlas-certificate.pem tenantatlas-key.pem
rm tenantatlas-certificate.pem tenantatlas-key.pem
