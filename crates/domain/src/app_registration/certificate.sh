# The certificate that TenantAtlas made. Its private key stays there.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/certificate.pem" <<'END_OF_CERTIFICATE'
@CERTIFICATE@
END_OF_CERTIFICATE
known=$(again az ad app credential list --id "$app" --cert --query "[?displayName=='@LABEL@'].keyId" --output tsv)
if [ -z "$known" ]; then
  again az ad app credential reset --id "$app" --append --display-name '@LABEL@' --cert "@$folder/certificate.pem" --output none
fi

echo
echo 'Enter in TenantAtlas:'
echo "  Directory (tenant) ID:    $tenant"
echo "  Application (client) ID:  $app"
