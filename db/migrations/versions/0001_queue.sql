-- What the server's role may ask of the dispatcher: to run a job, and not to. Large and small jobs have queues of their
-- own; the delay is in seconds.
CREATE FUNCTION queue.defer_job(
    organization_id uuid, job_id uuid, large boolean, priority integer, delay double precision
) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = queue, pg_temp AS $$
    SELECT (queue.procrastinate_defer_jobs_v1(ARRAY[ROW(
        CASE WHEN large THEN 'large' ELSE 'small' END, 'run_job', priority, NULL, NULL,
        jsonb_build_object('organization_id', organization_id, 'job_id', job_id),
        CASE WHEN delay > 0 THEN now() + make_interval(secs => delay) END
    )]::queue.procrastinate_job_to_defer_v1[]))[1]
$$;

-- Takes a waiting token away, or asks the worker of a running one to abort; null where there is neither.
CREATE FUNCTION queue.cancel_job(engine_id bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = queue, pg_temp AS $$
    SELECT queue.procrastinate_cancel_job_v1(engine_id, true, true)
$$;
