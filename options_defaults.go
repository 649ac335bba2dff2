package roster

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-roster/roster/password"
)

// The defaults and bounds of [Options].
const (
	defaultActivationTTL = 24 * time.Hour
	maxActivationTTL     = 7 * 24 * time.Hour
	defaultResetTTL      = time.Hour
	maxResetTTL          = 24 * time.Hour
	defaultUndoTTL       = 7 * 24 * time.Hour
	maxUndoTTL           = 30 * 24 * time.Hour
	defaultPendingTTL    = 7 * 24 * time.Hour
	defaultNameHold      = 90 * 24 * time.Hour
	defaultMailKeep      = 30 * 24 * time.Hour
	defaultGrantKeep     = 30 * 24 * time.Hour
	defaultEventKeep     = 365 * 24 * time.Hour
	minEventKeep         = 24 * time.Hour
	defaultSessionTTL    = 7 * 24 * time.Hour
	maxSessionTTL        = 30 * 24 * time.Hour
	defaultSessionIdle   = 24 * time.Hour
	minSessionIdle       = 5 * time.Minute
	maxSessionCache      = time.Minute
	defaultFreshFor      = 10 * time.Minute
	maxFreshFor          = time.Hour
	codePlaceholder      = "{code}"
)

// complete replaces what is zero by its default, and what others may change by a
// copy. It reports everything that is wrong, joined.
func (o *Options) complete() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Hasher == nil {
		o.Hasher = password.Hasher{}
	}
	var errs []error
	if v, ok := o.Hasher.(interface{ Validate() error }); ok {
		errs = append(errs, option("Hasher", v.Validate()))
	}
	o.Directories = slices.Clone(o.Directories)
	o.ReservedDataKeys = slices.Clone(o.ReservedDataKeys)
	o.UndoTTL = cmp.Or(o.UndoTTL, defaultUndoTTL)
	o.SessionIdle = cmp.Or(o.SessionIdle, defaultSessionIdle)
	o.PendingTTL = cmp.Or(o.PendingTTL, defaultPendingTTL)
	o.NameHold = cmp.Or(o.NameHold, defaultNameHold)
	o.MailKeep = cmp.Or(o.MailKeep, defaultMailKeep)
	o.GrantKeep = cmp.Or(o.GrantKeep, defaultGrantKeep)
	o.EventKeep = cmp.Or(o.EventKeep, defaultEventKeep)
	errs = append(errs,
		option("Policy", o.Policy.Validate()),
		option("Directories", checkDirectories(o.Directories)),
		option("Limits", o.Limits.setDefaults()),
		option("ActivationURL", checkCodeURL(o.ActivationURL)),
		option("ResetURL", checkCodeURL(o.ResetURL)),
		option("UndoURL", checkCodeURL(o.UndoURL)),
		option("ActivationTTL", defaultTTL(&o.ActivationTTL, defaultActivationTTL, maxActivationTTL)),
		option("ResetTTL", defaultTTL(&o.ResetTTL, defaultResetTTL, maxResetTTL)),
		option("SessionTTL", defaultTTL(&o.SessionTTL, defaultSessionTTL, maxSessionTTL)),
		option("FreshFor", defaultTTL(&o.FreshFor, defaultFreshFor, maxFreshFor)),
		option("SessionCache", defaultTTL(&o.SessionCache, 0, maxSessionCache)),
		option("PermissionCache", defaultTTL(&o.PermissionCache, 0, maxSessionCache)),
		option("ReservedDataKeys", checkDataKeys(o.ReservedDataKeys)))
	if o.UndoTTL > maxUndoTTL {
		errs = append(errs, option("UndoTTL", fmt.Errorf("must not be more than %s", maxUndoTTL)))
	}
	if o.SessionIdle > 0 && o.SessionIdle < minSessionIdle {
		errs = append(errs, option("SessionIdle", fmt.Errorf("must not be shorter than %s", minSessionIdle)))
	}
	if o.EventKeep > 0 && o.EventKeep < minEventKeep {
		errs = append(errs, option("EventKeep", fmt.Errorf("must not be shorter than %s", minEventKeep)))
	}
	if o.PendingTTL > 0 && o.PendingTTL < o.ActivationTTL {
		errs = append(errs, option("PendingTTL", errors.New("must not be shorter than ActivationTTL")))
	}
	return errors.Join(errs...)
}

func option(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("option %s: %w", name, err)
}

// defaultTTL replaces zero, and refuses what is out of bounds.
func defaultTTL(ttl *time.Duration, def, most time.Duration) error {
	*ttl = cmp.Or(*ttl, def)
	if *ttl < 0 || *ttl > most {
		return fmt.Errorf("must be between 0 and %s", most)
	}
	return nil
}

// checkCodeURL refuses what a link in a mail must not be.
func checkCodeURL(s string) error {
	if s == "" {
		return nil
	}
	if strings.Count(s, codePlaceholder) != 1 {
		return errors.New("must contain " + codePlaceholder + " exactly once")
	}
	u, err := url.Parse(strings.Replace(s, codePlaceholder, "x", 1))
	other, err2 := url.Parse(strings.Replace(s, codePlaceholder, "y", 1))
	switch {
	case err != nil || err2 != nil:
		return errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must begin with https:// (or http://)")
	case u.User != nil:
		return errors.New("must not contain a user or password")
	case u.Hostname() == "" || u.Host != other.Host:
		return errors.New("must name a host, and not by " + codePlaceholder)
	}
	return nil
}
