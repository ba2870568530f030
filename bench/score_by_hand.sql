with flags as (
  select region_city, region_district, region_ward, region_precinct, department, date_trunc('month', opened_day)::date as period,
    end_kind not in ('rejected','void','merged') as counted, end_kind = 'closed' as ended, end_kind = '' as still, end_kind <> 'void' as not_void,
    filed_at is not null as filed, dispatched_at is not null as sent, disposed_at is not null as done,
    (overdue and not penalty_lifted) or (main_clock = 'running' and coalesce(deadline_at < {as_of}, false)) as late,
    source in ('phone','web','app','twitter') as public, kind = 'component' as component, departments <= 1 and returns = 0 as accurate,
    located, overdue, reworks, returns, handlers, handovers, extensions, suspensions, supervisions, appeals, recurrences, reopens,
    responded_at is not null and response_s <= 86400 as responded, rating, ratings, wall_s,
    stage_collect_work_s, stage_file_work_s, stage_dispatch_work_s, stage_handle_work_s, stage_feedback_work_s, stage_close_work_s,
    level_city_work_s, level_district_work_s, level_ward_work_s, level_precinct_work_s
  from {facts} where opened_day is not null),
fine as (
  select region_city, region_district, region_ward, region_precinct, department, period,
    count(*) as m0, count_if(filed and counted) as m1, count_if(ended) as m2, count_if(counted) as m3, count_if(filed and not_void) as m4, count_if(filed) as m5,
    count_if(sent and counted) as m6, count_if(sent and counted and accurate) as m7, count_if(counted and done) as m8, count_if(counted and filed and (done or late)) as m9,
    count_if(counted and done and not late) as m10, count_if(counted and done and late) as m11, count_if(ended and filed) as m12,
    count_if(counted and filed and (ended or done or late)) as m13, count_if(ended and filed and not late) as m14, count_if(ended and filed and late) as m15,
    count_if(ended and not late) as m16, count_if(ended) as m17, count_if(still) as m18, count_if(still and late and not done) as m19,
    count_if(counted and reworks > 0 and done and handlers > 0) as m20, count_if(counted and done and handlers > 0) as m21, sum(case when counted and done then reworks else 0 end) as m22,
    count_if(counted and returns > 0) as m23, count_if(counted and sent) as m24, sum(case when counted and filed then handovers else 0 end) as m25, count_if(counted and filed) as m26,
    count_if(counted and extensions > 0) as m27, count_if(counted and suspensions > 0) as m28, count_if(counted and supervisions > 0) as m29, count_if(counted and appeals > 0) as m30,
    count_if(counted and overdue) as m31, count_if(counted and public and filed) as m32, count_if(counted and public and component and filed) as m33,
    count_if(ended and located and recurrences > 0) as m34, count_if(ended and located) as m35, count_if(counted and reopens > 0) as m36, count_if(counted and (ended or reopens > 0)) as m37,
    count_if(public and counted and responded) as m38, count_if(public and counted) as m39, count_if(counted and rating >= 3) as m40, count_if(counted and ratings > 0) as m41,
    count_if(counted and rating >= 4) as m42, sum(case when counted then rating else 0 end) as m43, count_if(counted and rating > 0) as m44,
    sum(case when ended then wall_s else 0 end) as m45, count_if(ended) as m46,
    sum(case when ended then stage_collect_work_s else 0 end) as m47, sum(case when ended then stage_file_work_s else 0 end) as m48, sum(case when ended then stage_dispatch_work_s else 0 end) as m49,
    sum(case when ended then stage_handle_work_s else 0 end) as m50, sum(case when ended then stage_feedback_work_s else 0 end) as m51, sum(case when ended then stage_close_work_s else 0 end) as m52,
    sum(case when ended then level_city_work_s else 0 end) as m53, sum(case when ended then level_district_work_s else 0 end) as m54, sum(case when ended then level_ward_work_s else 0 end) as m55,
    sum(case when ended then level_precinct_work_s else 0 end) as m56
  from flags group by all)
select grouping(region_city), grouping(department), grouping(region_district), grouping(region_ward), grouping(region_precinct),
  region_city, department, region_district, region_ward, region_precinct, period,
  sum(m0)::bigint, sum(m1)::bigint, sum(m2)::bigint, sum(m3)::bigint, sum(m4)::bigint, sum(m5)::bigint, sum(m6)::bigint, sum(m7)::bigint, sum(m8)::bigint, sum(m9)::bigint, sum(m10)::bigint, sum(m11)::bigint, sum(m12)::bigint, sum(m13)::bigint, sum(m14)::bigint, sum(m15)::bigint, sum(m16)::bigint, sum(m17)::bigint, sum(m18)::bigint, sum(m19)::bigint, sum(m20)::bigint, sum(m21)::bigint, sum(m22)::bigint, sum(m23)::bigint, sum(m24)::bigint, sum(m25)::bigint, sum(m26)::bigint, sum(m27)::bigint, sum(m28)::bigint, sum(m29)::bigint, sum(m30)::bigint, sum(m31)::bigint, sum(m32)::bigint, sum(m33)::bigint, sum(m34)::bigint, sum(m35)::bigint, sum(m36)::bigint, sum(m37)::bigint, sum(m38)::bigint, sum(m39)::bigint, sum(m40)::bigint, sum(m41)::bigint, sum(m42)::bigint, sum(m43)::bigint, sum(m44)::bigint, sum(m45)::bigint, sum(m46)::bigint, sum(m47)::bigint, sum(m48)::bigint, sum(m49)::bigint, sum(m50)::bigint, sum(m51)::bigint, sum(m52)::bigint, sum(m53)::bigint, sum(m54)::bigint, sum(m55)::bigint, sum(m56)::bigint
from fine group by grouping sets ((region_city, department, period), (region_district, department, period), (region_ward, department, period), (region_precinct, department, period))
