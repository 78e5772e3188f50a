package lrsapi

import (
	"net/http"

	"rollway/internal/lrs"
	"rollway/internal/web"
)

// Held is how much a door holds at once.
type Held = held

// NewWithin is New with other room.
func NewWithin(w web.Door, store *lrs.Store, personOf PersonOf, h Held) http.Handler {
	return open(w, store, personOf, h)
}
