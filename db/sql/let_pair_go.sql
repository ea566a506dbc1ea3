-- A send to a person is over, and the least time to the next one counts from now.
UPDATE pairs SET next_at = clock_timestamp() + make_interval(secs => :pair_gap_s)
WHERE device_id = :device_id AND phone = :phone
