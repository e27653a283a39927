-- $1 credential, $2 number.
SELECT secret FROM generation WHERE credential = $1 AND number = $2
