//! A Microsoft Graph client: tokens, paging, throttling, errors.
