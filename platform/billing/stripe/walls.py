"""Who may do what with Stripe's side of the money: the app role may see its own tenant's, and note an event."""

from apikit.walls import Wall

WALLS = (
    Wall("stripe_customer", app="SELECT", system="SELECT, INSERT, UPDATE"),
    Wall("stripe_invoice", app="SELECT", system="SELECT, INSERT, UPDATE"),
    Wall("stripe_call", system="SELECT, INSERT, UPDATE"),
    Wall("stripe_event", app="INSERT", system="SELECT, INSERT, UPDATE", tenant_column=None),
    Wall("stripe_top_up", app="SELECT", system="SELECT, INSERT"),
    Wall("stripe_dispute", system="SELECT, INSERT, UPDATE"),
    Wall("stripe_refund", system="SELECT, INSERT, UPDATE"),
    Wall("stripe_repair", system="SELECT, INSERT, UPDATE", tenant_column=None),
)
