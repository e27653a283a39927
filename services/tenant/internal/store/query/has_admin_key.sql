-- name: HasAdminKey
SELECT EXISTS (SELECT FROM api_key WHERE kind = 'adm' AND revoke_time IS NULL)
