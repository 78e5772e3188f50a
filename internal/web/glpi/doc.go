// Package glpi is the door for dashboards: the REST dialect of GLPI as Flyve MDM's guide "Self create a user account" uses it,
// at /apirest.php/ and the same at the root.
//
// A request becomes an [ask]: its path in parts, and its parameters from wherever this dialect puts them. The tables in
// tables.go say who answers it; an answer or a refusal is written in one place. Every rule about people lives in the rooms
// below. What differs from the guide and from GLPI, and why, stands in docs/glpi.md.
package glpi
