
# It is valid for a year.
secret=$(again az ad app credential reset --id "$app" --append --display-name 'TenantAtlas' --years 1 --query password --output tsv)

echo
echo 'Enter in TenantAtlas:'
echo "  Directory (tenant) ID:    $tenant"
echo "  Application (client) ID:  $app"
echo "  Client secret:            $secret"
