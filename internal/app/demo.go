package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/content"
	"rollway/internal/content/sample"
	"rollway/internal/credential"
	"rollway/internal/directory"
	"rollway/internal/id"
	"rollway/xapi"
)

// Demo is what a furnished house has to try.
type Demo struct {
	Course    content.Content
	Person    directory.Person
	Account   access.Issued
	LaunchURL string // opens the sample course as the person, for a week
}

// Furnish puts a sample course, a person and a service account into the house.
func (h *House) Furnish(ctx context.Context) (Demo, error) {
	var d Demo
	caller := access.CommandLine(id.DefaultOrg)
	zip, err := sample.Zip()
	if err != nil {
		return d, err
	}
	if d.Course, err = h.Content.Add(ctx, caller, bytes.NewReader(zip), int64(len(zip))); err != nil {
		return d, err
	}
	account, err := xapi.ParseAccount(h.Config.PublicURL, "ada")
	if err != nil {
		return d, err
	}
	decided, err := h.Directory.Provision(ctx, caller, directory.Claims{
		Source: directory.ByAdmin, Name: "Ada Lovelace", Agent: xapi.Agent{IFI: account},
		Attributes: map[string]directory.Value{"Email": directory.Text("ada@example.com"), "Country": directory.Text("GB")},
	})
	if err != nil {
		return d, err
	}
	d.Person = decided.Person
	if d.Account, err = h.Accounts.Create(ctx, caller, access.Request{Name: "demo", Scopes: access.PeopleRead | access.PeopleWrite | access.PeopleMatch | access.CredentialsMint | access.LaunchCreate | access.AllRead}); err != nil {
		return d, err
	}
	minted, err := h.Credentials.Mint(ctx, caller, credential.Request{Agent: decided.Primary, TTL: 7 * 24 * time.Hour})
	if err != nil {
		return d, err
	}
	d.LaunchURL = h.LaunchURL(d.Course.Activity, minted.Username, minted.Password)
	return d, nil
}

// LaunchURL is the guide's third step: an address that launches an activity with a minted credential.
func (h *House) LaunchURL(activity, username, password string) string {
	child := credential.Child{Username: username, Secret: password}
	return h.Config.PublicURL + "/api/activities/launch?activityId=" + escape(activity) + "&auth=" + escape(child.Header())
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// RandomName is a fresh opaque value for the guide's placeholders.
func RandomName() string { return rand.Text() }
