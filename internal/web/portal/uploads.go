package portal

import (
	"cmp"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"sync"
	"time"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/web"
)

// uploads are the packages that are on their way. Each is a file on disk before anything is known of it, so strangers who
// made themselves organizations get one at a time each, and so many together, which must not take forever; the operator's own
// people need not wait nor hurry.
type uploads struct {
	pace   web.Pace // of strangers; zero for guestPace
	mu     sync.Mutex
	guests map[id.OrgID]bool
}

const maxGuests = 8

// guestPace is half a megabit a second and an hour, in which 500 MB come by a household's connection.
var guestPace = web.Pace{Grace: 20 * time.Second, Rate: 64 << 10, Most: time.Hour}

// take keeps the file of the form that r is; whoever takes it closes it and calls end. Faults: those of begin and upload.
func (u *uploads) take(r *http.Request, org id.OrgID) (file *os.File, size int64, end func(), err error) {
	if end, err = u.begin(org); err != nil {
		return nil, 0, nil, err
	}
	if org != id.DefaultOrg {
		web.Hurry(r, cmp.Or(u.pace, guestPace))
	}
	if file, size, err = upload(r); err != nil {
		end()
	}
	return file, size, end, err
}

// begin tells that an upload begins; whoever begins it ends it. Fault: Unavailable (upload_busy) when it has to wait for
// another.
func (u *uploads) begin(org id.OrgID) (end func(), err error) {
	if org == id.DefaultOrg {
		return func() {}, nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.guests[org] || len(u.guests) >= maxGuests {
		return nil, fault.New(fault.Unavailable, "upload_busy", "Other files are being uploaded at this moment. Try again when they are here.")
	}
	if u.guests == nil {
		u.guests = map[id.OrgID]bool{}
	}
	u.guests[org] = true
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.guests, org)
	}, nil
}

// maxUpload is more than the packages that the catalogue takes, so that it says what is too large.
const maxUpload = 520 << 20

// upload keeps the form's file on disk under no name, so that nothing is left whatever happens.
func upload(r *http.Request) (file *os.File, size int64, err error) {
	r.Body = io.NopCloser(web.Limited(r, maxUpload))
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, 0, fault.New(fault.Invalid, "file_missing", "The form has no file.").Because(err)
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil, 0, fault.New(fault.Invalid, "file_missing", "The form has no file.")
		}
		if err != nil {
			return nil, 0, broken(err)
		}
		if part.FormName() == "file" {
			return keep(part)
		}
	}
}

func keep(part *multipart.Part) (*os.File, int64, error) {
	file, err := os.CreateTemp("", "rollway-upload-*")
	if err != nil {
		return nil, 0, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	size, err := io.Copy(file, part)
	if err == nil && size == 0 {
		err = fault.New(fault.Invalid, "file_missing", "The form has no file.")
	}
	if err != nil {
		return nil, 0, errors.Join(broken(err), file.Close())
	}
	return file, size, nil
}

// broken is the fault of a form that cannot be read to its end: upload_slow when that took too long.
func broken(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(fault.Invalid, "upload_slow", "The file came too slowly. Try again with a better connection.").Because(err)
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.New(fault.Invalid, "body_broken", "The upload broke off. Try again.").Because(err)
}
