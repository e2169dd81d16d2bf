# The key is made here, in a folder that is gone afterwards whatever happens. It is valid for a year.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
openssl req -x509 -newkey rsa:3072 -sha256 -nodes -days 365 -subj '/CN=TenantAtlas' -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
again az ad app credential reset --id "$app" --append --cert "@$folder/certificate.pem" --output none

echo
echo 'Enter in TenantAtlas:'
echo "  Directory (tenant) ID:    $tenant"
echo "  Application (client) ID:  $app"
echo '  Certificate and private key, all lines from the first BEGIN to the last END:'
echo
cat "$folder/certificate.pem" "$folder/key.pem"
