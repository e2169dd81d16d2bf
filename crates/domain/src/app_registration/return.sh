
# Where Microsoft leads back to after admin consent that is given later.
known=$(again az ad app show --id "$app" --query 'web.redirectUris[]' --output tsv)
case " $(echo $known) " in
  *' @ADDRESS@ '*) ;;
  *) again az ad app update --id "$app" --web-redirect-uris $known '@ADDRESS@' ;;
esac
