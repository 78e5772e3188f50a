package portal

import (
	"errors"
	"net/http"
	"net/url"

	"rollway/internal/access"
	"rollway/internal/fault"
	"rollway/internal/web"
)

// showAdd is GET /courses/add.
func showAdd(v *visit) error {
	if err := v.may(access.ContentWrite); err != nil {
		return err
	}
	return v.show(http.StatusOK, "add", v.addPage(web.Params{}))
}

func (v *visit) addPage(typed web.Params) *addPage {
	field := func(name, hint string) field {
		return field{ID: name, Label: v.say("add.link." + name), Hint: hint, Type: "text", Value: typed.Get(name), Max: 2048}
	}
	p := &addPage{frame: v.frame("add.title", "courses"), LinkTitle: field("title", ""), LinkURL: field("url", ""), LinkActivity: field("activity", v.say("add.link.activity.hint"))}
	p.LinkTitle.Required, p.LinkURL.Required = true, true
	p.LinkURL.Mode, p.LinkURL.Literal, p.LinkActivity.Literal = "url", true, true
	p.Path = "/courses/add"
	return p
}

// refuseAdd shows the page again with what is wrong.
func (v *visit) refuseAdd(typed web.Params, err error, where string) error {
	list, status, err := v.complain(err)
	if err != nil {
		return err
	}
	if list[0].Field == "" || where == "file" {
		list[0].Field = where
	}
	p := v.addPage(typed)
	p.Problems = list
	list.on(&p.LinkTitle, &p.LinkURL, &p.LinkActivity)
	if list[0].Field == "file" {
		p.FileError = list[0].Text
	}
	return v.show(status, "add", p)
}

// postPackage is POST /courses/package, a form with the file of a package.
func postPackage(v *visit) error {
	if err := v.may(access.ContentWrite); err != nil {
		return err
	}
	added, err := v.receive()
	if err != nil {
		return v.refuseAdd(web.Params{}, err, "file")
	}
	return v.redirect(added)
}

// receive takes the package from the form and adds it; it returns where to go then.
func (v *visit) receive() (next string, err error) {
	file, size, end, err := v.uploads.take(v.r, v.caller.Org)
	if err != nil {
		return "", err
	}
	defer end()
	defer func() { err = errors.Join(err, file.Close()) }()
	added, err := v.Content.Add(v.r.Context(), v.caller, file, size)
	if err != nil {
		return "", err
	}
	return "/?added=" + url.QueryEscape(added.Activity), nil
}

// postLink is POST /courses/link.
func postLink(v *visit) error {
	if err := v.may(access.ContentWrite); err != nil {
		return err
	}
	typed, err := v.form()
	if err != nil {
		return err
	}
	address := first(typed.Get("url"))
	activity := first(typed.Get("activity"), address)
	added, err := v.Content.AddLink(v.r.Context(), v.caller, activity, address, typed.Get("title"))
	if f := fault.Of(err); activity == address && f.Code == "link_activity" { // nobody typed one
		err = fault.New(fault.Invalid, "link_url", "%s", f.Message)
	}
	if err != nil {
		return v.refuseAdd(typed, err, "url")
	}
	return v.redirect("/?added=" + url.QueryEscape(added.Activity))
}
