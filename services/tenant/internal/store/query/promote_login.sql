-- name: PromoteLogin
-- The generation that the customer holds from now on; an older fact changes nothing. $1 ref, $2 generation
UPDATE workspace SET login_generation = $2 WHERE ref = $1 AND login_generation < $2
