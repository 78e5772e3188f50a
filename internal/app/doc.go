// Package app builds the house from a Config: it opens the database, makes the rooms, mounts the doors and starts what
// works in the background. It decides nothing else.
package app
