package signin

import (
	"context"
	"time"

	"rollway/internal/db"
	"rollway/internal/id"
	"rollway/internal/limit"
)

// PlaceLife is how long a place is known after the last sign-in there.
const PlaceLife = 90 * 24 * time.Hour

// NewBrowser returns what a browser keeps, also when it is signed out, so that it is known the next time ([Device.Browser]).
func NewBrowser() string { return newToken() }

// places are the hashes of where a device is: its network, and itself when it keeps what [NewBrowser] returned. Those of two
// people have nothing in common.
func (s *Signin) places(person id.PersonID, from Device) [][]byte {
	list := [][]byte{s.key.Hash("place", person.String(), "network", limit.AddressGroup(from.Addr))}
	if len(from.Browser) == tokenLen {
		list = append(list, s.key.Hash("place", person.String(), "browser", from.Browser))
	}
	return list
}

// readPlace returns a place where the device is and where the person has signed in before: the browser rather than the
// network, and "" for none. It looks for nobody's as well.
func (s *Signin) readPlace(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, from Device) (place string, err error) {
	for _, hash := range s.places(person, from) {
		err := tx.Each(ctx, "SELECT place_hash FROM signin_places WHERE org_id = ? AND person_id = ? AND place_hash = ? AND seen > ?",
			[]any{org, person, hash, s.now().Add(-PlaceLife)}, func(r *db.Rows) error {
				var found []byte
				err := r.Scan(&found)
				place = string(found)
				return err
			})
		if err != nil {
			return "", err
		}
	}
	return place, nil
}

// knowPlace keeps where a person has signed in.
func (s *Signin) knowPlace(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, from Device) error {
	for _, hash := range s.places(person, from) {
		err := tx.Defer(ctx, `INSERT INTO signin_places (org_id, person_id, place_hash, seen) VALUES (?, ?, ?, ?)
 ON CONFLICT (org_id, person_id, place_hash) DO UPDATE SET seen = excluded.seen`, org, person, hash, s.now())
		if err != nil {
			return err
		}
	}
	return nil
}
