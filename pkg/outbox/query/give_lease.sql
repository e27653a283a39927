-- $1 holder, $2 nobody.
UPDATE relay_lease SET holder = $2, beat = beat + 1 WHERE holder = $1
