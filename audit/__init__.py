"""The record of what happened: events in the transaction of what they tell, never changed afterwards."""
